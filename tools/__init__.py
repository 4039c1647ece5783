"""What make calls, where it is more than a command."""
