"""Pure translation between wire JSON and the model; wire property names live here."""
