"""What the live figures of the book take from the package: data, constants and static pictures."""
