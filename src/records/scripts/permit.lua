-- A fresh permit for an attempt whose first one grew old before its request could be written. Nothing was written with the
-- first one, so it is taken back. KEYS control, record
-- → {0, permit, scarce, wait} | {in how many ms to ask again} | {NOT_OPEN}: the attempt is not open any more | {FORGOTTEN}:
-- Redis has forgotten the gate
-- constants: NOT_OPEN, FORGOTTEN, BROKEN_MS, PROBE_WAIT_MS
local g = open_gate(prefix, bull)
local control = read_control(g)
if g.broken then return {BROKEN_MS} end
if has_forgotten(control, epoch) then return {FORGOTTEN} end
if old ~= '' then give_back(g, old, id .. ' ' .. open) end
if redis.call('HGET', KEYS[2], 'open') ~= open then return {NOT_OPEN} end
if control.confirm_until and g.now < control.confirm_until then return {math.ceil(control.confirm_until - g.now)} end
if control.pause_until and g.now < control.pause_until then return {math.ceil(control.pause_until - g.now)} end
-- Only the job that tries for all goes on; after an outage each call takes its turn.
if (control.breaker == 'open' or control.hold) and control.probe ~= id then return {PROBE_WAIT_MS} end
if control.breaker == 'ramp' and g.now < control.ramp_at then return {math.ceil(control.ramp_at - g.now)} end
local permit, at = take_permit(g, control)
if not permit then return {math.max(1, math.ceil(at - g.now))} end
close_gate(g, permit.next)
if control.breaker == 'ramp' then take_turn(g, control, id, 0, 0) end
hold_place(g, id, call_ms, permit.wait)
if subject ~= '' then postpone_send(g, subject, id, permit.ends) end
return {0, number(permit.ends), permit.scarce and 'scarce' or '', number(permit.wait)}
