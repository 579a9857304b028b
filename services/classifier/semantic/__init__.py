"""The semantic worker: a second look at labelled tickets, in a process of its own."""
