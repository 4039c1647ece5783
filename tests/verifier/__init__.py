"""The verifier, against archives made with the layer's own writer, and both against other people's programs."""
