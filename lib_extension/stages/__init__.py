"""What stages can a recipe have? One file a type; STAGES lists them."""
