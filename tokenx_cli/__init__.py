"""The local stack and the operator's commands. Top layer: may use the libraries of the project, is used by nothing."""
