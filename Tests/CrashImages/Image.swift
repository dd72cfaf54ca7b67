/// What a disk may hold after a power cut: what was synced, and any part of what was not.
struct Image {
    /// What becomes of the writes since the last sync of each file.
    enum Fate: CaseIterable {
        case lost, kept
        /// The first ones only.
        case prefix
        /// Any of them, in any order.
        case subset
        /// Any of them, and of each only some of its sectors of 512 bytes.
        case torn
    }

    struct Disk {
        var durable: [[UInt8]]
        var waiting: [[Recording.Step]] = [[], []]

        mutating func take(_ step: Recording.Step) {
            switch step {
            case .write(let file, _, _), .truncate(let file, _): waiting[file.rawValue].append(step)
            case .sync(let file):
                for step in waiting[file.rawValue] { apply(step, to: &durable[file.rawValue], sectors: nil) }
                waiting[file.rawValue] = []
            case .acknowledged: break
            }
        }
    }

    /// The two files after a cut.
    static func files(_ disk: Disk, _ fate: Fate, random: inout some RandomNumberGenerator) -> [[UInt8]] {
        Recording.File.allCases.map { file in
            var bytes = disk.durable[file.rawValue]
            let waiting = disk.waiting[file.rawValue]
            switch fate {
            case .lost: break
            case .kept: for step in waiting { apply(step, to: &bytes, sectors: nil) }
            case .prefix:
                for step in waiting.prefix(Int.random(in: 0...waiting.count, using: &random)) {
                    apply(step, to: &bytes, sectors: nil)
                }
            case .subset:
                for step in waiting where Bool.random(using: &random) { apply(step, to: &bytes, sectors: nil) }
            case .torn:
                for step in waiting where Bool.random(using: &random) {
                    let mask = UInt64.random(in: .min ... .max, using: &random)
                    apply(step, to: &bytes, sectors: mask)
                }
            }
            return bytes
        }
    }

    /// - Parameter sectors: which sectors of 512 bytes of the file reach it, by number modulo 64; nil for all.
    private static func apply(_ step: Recording.Step, to bytes: inout [UInt8], sectors: UInt64?) {
        switch step {
        case .write(_, let offset, let new):
            if bytes.count < offset + new.count {
                bytes += [UInt8](repeating: 0, count: offset + new.count - bytes.count)
            }
            guard let sectors else {
                bytes.replaceSubrange(offset..<offset + new.count, with: new)
                return
            }
            for index in new.indices where sectors >> UInt64((offset + index) / 512 % 64) & 1 == 1 {
                bytes[offset + index] = new[index]
            }
        case .truncate(_, let size):
            if bytes.count > size { bytes.removeLast(bytes.count - size) }
        case .sync, .acknowledged: break
        }
    }
}
