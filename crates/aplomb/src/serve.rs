//! Builds the parts, joins the tasks, stops in order.
