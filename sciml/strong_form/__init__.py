"""Fields with weights, fitted to the strong form of a problem at points: ansatz, blocks of residuals, assessment."""
