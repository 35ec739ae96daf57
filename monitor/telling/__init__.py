"""Pure decisions: what is worth saying, when, and how loud. Nothing here sends, stores or asks the time."""
