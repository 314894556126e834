"""Code in colours: one pass over each text, by scanners of our own, into spans with classes."""
