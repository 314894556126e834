"""The documentation says what the code does, and says all of it."""
