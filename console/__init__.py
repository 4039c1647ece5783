"""The console: `logarchive`, the program by which an operator looks at a deployed stack and works with it.

- What happens here: a stack is found by its name, its functions are invoked, and what they return is shown.
- It may not know: how a function does its work. What an action does, the console has the function do.
"""
