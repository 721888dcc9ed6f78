"""The pipeline: the straight line from envelope to receipt, and from leg to delivery."""
