"""What the public uses: each service on its own, none knows another."""
