"""The commands, a module each: what is asked for, and a pure function that makes a report of what came back."""
