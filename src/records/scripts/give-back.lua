-- A permit whose call is not made after all.
give_back(open_gate(prefix, bull), permit, id .. ' ' .. open)
