-- What of the gate cannot be read, or ''.
local g = open_gate(prefix, '')
read_control(g)
return g.broken or ''
