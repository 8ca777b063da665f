//! What goes wrong in one run, and when.

mod act;
mod injector;
mod kind;
mod pages;
mod plan;
mod point;
mod recorder;
mod trap;

pub(crate) use injector::Injector;
pub(crate) use kind::{Kind, Trace};
pub(crate) use plan::{Plan, Seen};
pub(crate) use point::{Class, Point};
pub(crate) use recorder::Recorder;
