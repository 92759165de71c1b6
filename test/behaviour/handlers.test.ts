// handler() routes through the whole gateway, their functions in this process: what a handler is
// given, and what becomes of whatever it answers. Workers ask over the channel of hooks.

import '../support/handler-tests.ts'
