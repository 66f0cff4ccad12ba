"""The session side: train, resume, verify, evaluate, predict, reproduce."""
