"""What is wanted, what runs, and the way from one to the other.

`loading` turns a fleet file into a `Fleet`, `desired` asks the services what that means in workloads, `plan`
compares it with what the providers see, and `apply` carries the plan out. All but `apply` and `survey` is pure.
"""
