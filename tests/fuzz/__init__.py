"""Coverage-guided fuzzing (`make fuzz`): whatever bytes come, only declared errors are raised."""
