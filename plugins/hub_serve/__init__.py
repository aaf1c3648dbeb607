"""`hub serve`: mixes over HTTP, in a protocol of its own and in those of trainers; and its clients."""
