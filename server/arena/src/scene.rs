//! A room's world without the room, for the systems' tests: ticks, players, held inputs.

use bevy_ecs::prelude::*;
use bevy_ecs::schedule::ScheduleLabel;
use tickwire::ids::PlayerId;
use tickwire::protocol::server_message::Member;
use tickwire_server::game::{
    Game, GameDef, Identity, Input, Options, Out, Owner, Player, RoomOptions, RoomRng, Roster, Tick,
};

use crate::Arena;
use crate::components::{Drone, Health, Pos, Serial};
use crate::control::Control;
use crate::respawn::Fallen;
use crate::tuning::{DRONE_RISES_AFTER, PLAYER_RISES_AFTER, ticks};

#[derive(ScheduleLabel, Clone, Debug, PartialEq, Eq, Hash)]
struct Systems;

pub(super) struct Scene {
    pub(super) world: World,
    systems: Schedule,
    def: GameDef<Arena>,
    lags: Vec<(Entity, f64)>,
}

impl Scene {
    /// A room at 30 Hz.
    pub(super) fn new(seed: u64, npcs: u16) -> Scene {
        let def = GameDef::<Arena>::new(30).expect("the arena's schema is sound");
        let options = RoomOptions {
            seats: 50,
            seed,
            npcs,
            ..RoomOptions::default()
        };
        let mut world = World::new();
        world.insert_resource(Tick {
            number: 0,
            dt: 1.0 / 30.0,
        });
        world.insert_resource(RoomRng::seeded(seed));
        world.insert_resource(Roster::default());
        world.insert_resource(def.out());
        let mut systems = Schedule::new(Systems);
        Arena::setup(&mut world, &mut systems, &options);
        Scene {
            world,
            systems,
            def,
            lags: Vec::new(),
        }
    }

    /// A player with this number joins.
    pub(super) fn join(&mut self, id: u16) -> Entity {
        let id = PlayerId(id);
        let name = format!("p{id}");
        self.world.resource_mut::<Roster>().members.push(Member {
            player: id,
            name: name.clone(),
            ready: false,
            host: false,
            connected: true,
        });
        let entity = Arena::join(
            &mut self.world,
            &Player {
                id,
                name,
                identity: Identity::nobody(),
                options: Options::default(),
            },
        );
        self.world
            .entity_mut(entity)
            .insert((Owner(id), Input::<Control>::default()));
        entity
    }

    pub(super) fn leave(&mut self, id: u16, entity: Entity) {
        let members = &mut self.world.resource_mut::<Roster>().members;
        let at = members.iter().position(|member| member.player.0 == id);
        let member = members.remove(at.expect("a member"));
        let who = Player {
            id: member.player,
            name: member.name,
            identity: Identity::nobody(),
            options: Options::default(),
        };
        Arena::leave(&mut self.world, &who, entity);
    }

    pub(super) fn ready(&mut self, id: u16, ready: bool) {
        for member in &mut self.world.resource_mut::<Roster>().members {
            if member.player.0 == id {
                member.ready = ready;
            }
        }
    }

    /// The input of all ticks to come.
    pub(super) fn hold(&mut self, player: Entity, control: Control) {
        self.world
            .get_mut::<Input<Control>>(player)
            .expect("a player")
            .now = control;
    }

    /// A player sees the others so many ticks ago, from now on; the others see the present.
    pub(super) fn see(&mut self, player: Entity, lag: f64) {
        self.lags.push((player, lag));
    }

    pub(super) fn put(&mut self, who: Entity, place: (f64, f64)) {
        *self.world.get_mut::<Pos>(who).expect("a body") = Pos::from(place);
    }

    /// Fells someone by the tick to come.
    pub(super) fn fell(&mut self, who: Entity) {
        let drone = self.world.get::<Drone>(who).is_some();
        let seconds = if drone {
            DRONE_RISES_AFTER
        } else {
            PLAYER_RISES_AFTER
        };
        let tick = *self.world.resource::<Tick>();
        self.world.get_mut::<Health>(who).expect("a body").hp = 0;
        let mut fallen = self.world.resource_mut::<Fallen>();
        fallen.add(who, tick.number + ticks(seconds, &tick));
    }

    pub(super) fn tick(&mut self) {
        self.world.insert_resource(self.def.out());
        let mut tick = self.world.resource_mut::<Tick>();
        tick.number += 1;
        let present = f64::from(tick.number);
        let mut inputs = self.world.query::<(Entity, &mut Input<Control>)>();
        for (player, mut input) in inputs.iter_mut(&mut self.world) {
            let lag = self.lags.iter().rfind(|(other, _)| *other == player);
            input.view = present - lag.map_or(0.0, |(_, lag)| *lag);
        }
        self.systems.run(&mut self.world);
        self.world.clear_trackers();
    }

    pub(super) fn of<C: Component>(&self, entity: Entity) -> &C {
        self.world.get::<C>(entity).expect("it has that component")
    }

    /// Drones, oldest first.
    pub(super) fn drones(&self) -> Vec<Entity> {
        let mut drones: Vec<(Serial, Entity)> = self
            .world
            .iter_entities()
            .filter(|entity| entity.contains::<Drone>())
            .filter_map(|entity| Some((*entity.get::<Serial>()?, entity.id())))
            .collect();
        drones.sort_unstable();
        drones.into_iter().map(|(_, drone)| drone).collect()
    }

    /// How many events of a type the last tick sent.
    pub(super) fn events<E: 'static>(&self) -> usize {
        self.world.resource::<Out>().sent::<E>()
    }
}
