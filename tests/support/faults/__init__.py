"""What the fault suite and the soak are made of: people, the load that they make, faults, and the table."""
