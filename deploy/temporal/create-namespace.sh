#!/bin/sh
# Makes the namespace of all runs, unless it is there. Temporal's address is in TEMPORAL_ADDRESS.
set -eu

temporal operator namespace describe --namespace default ||
    temporal operator namespace create --namespace default --retention 168h
