"""A module as a user of Starling writes one: products with a category and an owner."""
