"""Pages made of notebooks: in processes that can be killed, kept in memory and in the store."""
