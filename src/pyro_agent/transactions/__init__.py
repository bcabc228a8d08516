"""The one verb that changes files: any number of operations, all of them or none, whenever the machine is killed."""
