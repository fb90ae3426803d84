-- The fields of the gate that cannot be read, or ''.
local g = open_gate(prefix, '')
read_control(g)
return g.broken or ''
