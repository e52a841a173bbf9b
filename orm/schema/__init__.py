"""From models to tables: names, definitions, and what a database lacks."""
