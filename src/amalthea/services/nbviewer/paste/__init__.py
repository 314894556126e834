"""The paste box: from what people have to the path of its page."""
