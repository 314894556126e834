"""What every HTTP process shares: the application's frame, health, metrics, templates, static files."""
