"""What an installation takes: distributions, megabytes, time to start, memory."""
