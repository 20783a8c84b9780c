//! The reference model keeps what the ports promise.

use mainstay_testkit::conformance::Bed;
use mainstay_testkit::model;

mainstay_testkit::conformance!(reference, async { Bed::new(model::stores(), ()) });
