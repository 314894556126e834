"""What the benchmark of rendering is made of: the files, the peer, colours, and a notebook of 50 MB."""
