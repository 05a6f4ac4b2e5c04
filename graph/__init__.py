"""THE EDGE: GraphQL in, GraphQL out. It translates; it never decides about points."""
