-- Sends the requests of a file in turn, and prints what came of them as one line of JSON.
--
-- Arguments: the file (before each request stands its length in bytes, on a line of its own), how many
-- milliseconds a connection waits before each request (0: none; otherwise the mean of random waits), and a
-- text that together with a number makes a new key in the place of @KEY@ (-: there is none to replace).
local requests, at, sent = {}, 0, 0

function init(args)
   local file = assert(io.open(args[1], "rb"))
   local wait, stamp = tonumber(args[2]), args[3]
   while true do
      local length = file:read("*n")
      if not length then break end
      file:read(1)
      requests[#requests + 1] = file:read(length)
   end
   file:close()
   if wait > 0 then
      delay = function() return math.random(0, 2 * wait) end
   end
   if stamp ~= "-" then
      request = function()
         at = at % #requests + 1
         sent = sent + 1
         return (string.gsub(requests[at], "@KEY@", stamp .. sent))
      end
   end
end

function request()
   at = at % #requests + 1
   return requests[at]
end

function done(summary, latency, _)
   local errors = summary.errors
   local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
   io.write(string.format(
      '{"requests": %d, "seconds": %.6f, "failed": %d, "p50": %.1f, "p99": %.1f}\n',
      summary.requests, summary.duration / 1e6, failed, latency:percentile(50), latency:percentile(99)
   ))
end
