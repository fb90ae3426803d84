-- In front of begin.lua: the jobs are those that were asked for, so that nobody has to be told which.
local function answer(replies)
  return replies
end
