"""The expression language: nodes, calculus, analysis, lowering, evaluation and printing."""
