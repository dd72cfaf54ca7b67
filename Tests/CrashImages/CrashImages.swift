import ArgumentParser
import CSQLite
import Foundation
import Journal
import struct SimulationModel.SeededGenerator

/// Enumerates what a power cut can leave of a journal, opens each image, and looks whether every acknowledged row is in
/// it; then flips bits of the files, one at a time, and looks whether anything wrong or uncounted comes of it.
///
/// After Pillai et al., "All File Systems Are Not Created Equal" (OSDI 2014), and SQLite's own crash tests.
@main
struct CrashImages: ParsableCommand {
    @Option(help: "Seed of the workload and of the cuts.")
    var seed = UInt64.random(in: 0..<(1 << 40))
    @Option(help: "How many images.")
    var images = 10_000
    @Option(help: "How many flipped bits.")
    var flips = 1_000
    @Option(help: "Where the images are made; a file system in memory is the fastest.")
    var directory = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : "/tmp"

    struct Broken: Error, CustomStringConvertible {
        let description: String
    }

    /// A recording's images; more of them come from further recordings, since large journals take longer to read.
    private static let imagesPerRecording = 4_000
    private static let commits = 120

    func run() throws {
        let base = "\(directory)/crash-images-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: base) }
        let began = ContinuousClock.now
        let rounds = max(1, (images + Self.imagesPerRecording - 1) / Self.imagesPerRecording)
        var (lost, steps): (Int64, Int) = (0, 0)
        for round in 0..<rounds {
            var random = SeededGenerator(seed: seed &+ UInt64(round))
            let recorded = "\(base)/recorded\(round)"
            try FileManager.default.createDirectory(atPath: recorded, withIntermediateDirectories: true)
            do {
                let recording = try Recording.make(directory: recorded, commits: Self.commits, random: &random)
                let bench = Bench(path: base + "/journal.sqlite", epoch: recording.epoch)
                try cut(recording, images / rounds, bench, &random)
                try flip(recording, max(1, flips / rounds), bench, &random)
                (lost, steps) = (lost + bench.lost, steps + recording.steps.count)
            } catch {
                print("\(error); again: crash-images --seed \(seed &+ UInt64(round)) --images \(images / rounds)")
                throw ExitCode.failure
            }
        }
        let seconds = (ContinuousClock.now - began).components.seconds
        print(
            "\(images) images after \(steps) steps, \(flips) flips (\(lost) rows lost to them and counted), 0 failures, "
                + "\(seconds) s, seed \(seed)")
    }

    /// Cuts the power after every step, in proportion to the number of images that is wanted.
    private func cut(_ recording: Recording, _ images: Int, _ bench: Bench, _ random: inout SeededGenerator) throws {
        var disk = Image.Disk(durable: recording.initial)
        var (acknowledged, deleted): (Int64, Int64) = (0, 0)
        var made = 0
        for (number, step) in recording.steps.enumerated() {
            disk.take(step)
            if case .acknowledged(let through, let deletedThrough) = step {
                (acknowledged, deleted) = (through, deletedThrough)
            }
            while made * recording.steps.count < images * (number + 1) {
                let fate = Image.Fate.allCases[made % Image.Fate.allCases.count]
                let files = Image.files(disk, fate, random: &random)
                do {
                    try bench.openAfterCut(
                        files, acknowledged: acknowledged, deleted: deleted, isThorough: made % 25 == 0)
                } catch {
                    throw Broken(
                        description:
                            "after step \(number) of \(recording.steps.count), unsynced writes \(fate): \(error)")
                }
                made += 1
            }
        }
    }

    private func flip(_ recording: Recording, _ flips: Int, _ bench: Bench, _ random: inout SeededGenerator) throws {
        var disk = Image.Disk(durable: recording.initial)
        var (acknowledged, deleted): (Int64, Int64) = (0, 0)
        var states: [(disk: Image.Disk, acknowledged: Int64, deleted: Int64, before: [UInt8])] = []
        // The log as it was two batches before.
        var (before, between) = (recording.initial[1], recording.initial[1])
        let every = max(1, recording.steps.count / 20)
        for (number, step) in recording.steps.enumerated() {
            disk.take(step)
            guard case .acknowledged(let through, let deletedThrough) = step else { continue }
            (acknowledged, deleted) = (through, deletedThrough)
            if number / every > states.count { states.append((disk, acknowledged, deleted, before)) }
            (before, between) = (between, Image.files(disk, .kept, random: &random)[1])
        }
        guard !states.isEmpty else { return }
        for number in 0..<flips {
            let (disk, acknowledged, deleted, before) = states[number % states.count]
            var files = Image.files(disk, .kept, random: &random)
            let file = number % 2
            guard let place = bench.place(in: files, file: file, before: before, random: &random) else { continue }
            files[file][place] ^= UInt8(1 << Int.random(in: 0..<8, using: &random))
            do {
                try bench.openAfterFlip(files, acknowledged: acknowledged, deleted: deleted)
            } catch {
                throw Broken(description: "bit of byte \(place) of the \(file == 0 ? "database" : "log"): \(error)")
            }
        }
    }
}
