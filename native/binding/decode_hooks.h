// Decoding what stands before and around the action of a route. JavaScript's thread.
#pragma once

#include <memory>

#include "binding/reader.h"
#include "route/snapshot.h"

namespace sluice::binding {

/// null: the route has none.
std::shared_ptr<const route::HookPlan> decode_hooks(const Reader& hooks);

/// Changes to fields: { remove: [names], add: lines }.
route::FieldEdits decode_edits(const Reader& edits);

/// What every answer of the route gets, in the actions that forward: their answers pass by.
void add_to_forwarded(const route::FieldEdits& response, route::Action& action);

}  // namespace sluice::binding
