"""The demonstration: two administrations, a post and a platform, in processes of their own."""
