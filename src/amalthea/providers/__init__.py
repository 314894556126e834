"""Places that run workloads: each package here implements `model.provider.Provider`, and none knows another."""
