"""`mullama devices` and `mullama version`."""

import json
import pathlib
import unittest

from program import run

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Devices(unittest.TestCase):
    def test_the_processor_is_there(self):
        value = json.loads(run("devices", "--json").out)
        (cpu,) = [d for d in value["devices"] if d["type"] == "cpu"]
        self.assertTrue(cpu["available"])
        self.assertEqual(cpu["reason"], "")
        self.assertGreater(cpu["memory_total"], 0)
        self.assertNotEqual(cpu["features"], "")
        text = run("devices").out
        self.assertIn(cpu["name"], text)
        self.assertIn(cpu["features"], text)

    def test_what_cannot_be_used_says_why(self):
        devices = json.loads(run("devices", "--json").out)["devices"]
        missing = [device for device in devices if not device["available"]]
        for device in missing:
            self.assertNotEqual(device["reason"], "", device)
        if not any(d["available"] and d["type"] == "gpu" for d in devices):
            self.assertTrue(missing, "no GPU, and no word about it")


class Version(unittest.TestCase):
    def test_version(self):
        wanted = (ROOT / "VERSION").read_text().strip()
        value = json.loads(run("version", "--json").out)
        self.assertEqual(value["version"], wanted)
        self.assertIn("engine", value)
        self.assertRegex(run("version").out, rf"(?m)^mullama +{wanted}$")
        self.assertEqual(run("--version").out, f"mullama {wanted}\n")


if __name__ == "__main__":
    unittest.main()
