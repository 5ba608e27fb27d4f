//! The queue by itself on virtual time: what each thing that can happen leads to
//! (`ends`, `matches`, `offers`, `parties`, `links`), and thousands of players of all manners whose
//! every step is checked (`simulation`). `make simulate-queue SEEDS=100` runs as many seeds as
//! asked; each test run has some.

mod checker;
mod cost;
mod desk;
mod ends;
mod links;
mod matches;
mod offers;
mod parties;
mod people;
mod quality;
mod simulation;
mod world;
