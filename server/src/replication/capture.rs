//! Reads replicated components into an image.
use crate::game::Accessor;
use bevy_ecs::prelude::*;
pub(crate) trait CaptureComponent: Send + Sync {}
pub(crate) struct EntityReader<C>(Vec<Accessor<C>>);
impl<C: Component> EntityReader<C> {
    pub(crate) fn new(_w: &mut World, a: Vec<Accessor<C>>) -> Self {
        EntityReader(a)
    }
}
impl<C: Component> CaptureComponent for EntityReader<C> {}
pub(crate) struct RoomReader<C>(Vec<Accessor<C>>);
impl<C: Component> RoomReader<C> {
    pub(crate) fn new(a: Vec<Accessor<C>>) -> Self {
        RoomReader(a)
    }
}
impl<C: Component> CaptureComponent for RoomReader<C> {}
