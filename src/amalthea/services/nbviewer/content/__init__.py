"""The content origin: a second name, for what a stranger made and a browser may run."""
