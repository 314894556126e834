"""What visitors of nbviewer's own name see and send."""
