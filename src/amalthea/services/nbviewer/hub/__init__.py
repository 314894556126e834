"""nbviewer as the service of a JupyterHub: who may see it."""
