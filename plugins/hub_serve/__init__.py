"""`hub serve`: mixes over HTTP, in an own protocol and in those that trainers speak; and the clients for it."""
