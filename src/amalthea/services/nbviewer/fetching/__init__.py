"""What sources said, fetched with care and kept: a URL in, bytes and their age out."""
